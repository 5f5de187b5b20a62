-- What accreditation counts apart as high-risk equipment: what sustains life, what the organization
-- itself calls critical, and the highest class of device.
create or replace function reporting.is_high_risk(
    category text, criticality text, risk_class text, is_life_support boolean
) returns boolean
language sql immutable parallel safe
return category = 'LIFE_SUPPORT'
    or coalesce(criticality = 'CRITICAL', false)
    or coalesce(risk_class = 'CLASS_III', false)
    or coalesce(is_life_support, false);
comment on function reporting.is_high_risk(text, text, text, boolean) is
    'Life support, critical to the organization, or class III.';
grant execute on function reporting.is_high_risk(text, text, text, boolean)
    to biotrakr_analyst, biotrakr_app;
